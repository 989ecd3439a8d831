@fake
Feature: After the stop no order is open and the account is flat

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario: a position and two quotes are wound down at the end of the window
    Given the bot is running on BTCUSDT
    When 13 min pass
    And the price falls 0.40 % within 10 s
    And the bounded window ends
    Then these promises are held:
      | promise | about               |
      | E14     | nothing left behind |
    And the account is flat

  Scenario: quotes are left resting
    Given a bot that goes away without canceling its quotes
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then promise E14 is BROKEN because open after the stop

  Scenario: a position is left
    Given a bot that goes away without closing its position
    And the bot is running on BTCUSDT
    When 13 min pass
    And the price falls 0.40 % within 10 s
    And the bounded window ends
    Then promise E14 is BROKEN because after the stop
    And promise E10 is BROKEN because had no exit
