@fake
Feature: A no-trade bot leaves an inherited position as it is

  Background:
    Given the no-trade profile
    And a flat account of 20 USDT

  Scenario: the plan declares the position
    Given the account is long 0.0001 BTC, as the plan declares
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then these promises are held:
      | promise | about               |
      | N1      | no-trade held       |
      | E14     | position as declared |
    And the account is still long 0.0001 BTC

  Scenario: the plan does not know of the position
    Given the account is short 0.0001 BTC, which the plan does not declare
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then promise N1 is BROKEN because a position of -0.0001
    And promise E14 is BROKEN because declared
    And the account is still short 0.0001 BTC
