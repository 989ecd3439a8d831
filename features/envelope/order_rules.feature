@fake
Feature: Every order keeps the contract's rules for size, step, value and tick

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario: quotes and exits fit the contract
    Given the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s and recovers within 60 s
    And the bounded window ends
    Then these promises are held:
      | promise | about                         |
      | E4      | every order fits the contract |

  Scenario: a price between two ticks
    Given a bot that prices its sells between two ticks
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then promise E4 is BROKEN because off the tick 0.1
    And the venue refused requests of the bot with 45115
