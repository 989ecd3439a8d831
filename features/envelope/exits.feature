@fake
Feature: Every net position is closed by one reduce-only exit at a time

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario: a filled buy gets its take-profit
    Given the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s and recovers within 60 s
    And the bounded window ends
    Then these promises are held:
      | promise | about                                      |
      | E10     | every position closed by reduce-only exits |

  Scenario: two exits rest for one position
    Given a bot that rests two exits for one position
    And the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s and recovers within 60 s
    And the bounded window ends
    Then promise E10 is BROKEN because was sent while

  Scenario: a position stands without an exit
    Given a bot that holds a position without an exit
    And the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s and recovers within 60 s
    And the bounded window ends
    Then promise E10 is BROKEN because had no exit
    And promise E11 is BROKEN because had reached its time limit
