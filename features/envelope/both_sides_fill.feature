@fake
Feature: When both sides fill the venue nets and no exit is owed

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario: the price swings through both quotes within a second
    Given the bot is running on BTCUSDT
    When the price falls 0.40 % within 1 s and recovers within 1 s
    And the price rises 0.45 % within 1 s
    And the bounded window ends
    Then these promises are held:
      | promise | about                                      |
      | E1      | exposure inside the envelope               |
      | E10     | every position closed by reduce-only exits |
      | E14     | nothing left behind                        |
    And the bot's files agree with the venue
    And the account is flat
