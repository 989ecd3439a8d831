@fake
Feature: Neither an order nor the exposure exceeds the desk's cap of 100 USDT

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario: the quotes of a 20 USDT envelope stay far below it
    Given the bot is running on BTCUSDT
    When the bounded window ends
    Then these promises are held:
      | promise | about              |
      | E3      | below the desk cap |

  Scenario: an entry of a hundred USDT
    Given a bot that sends entries worth more than the desk allows
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then promise E3 is BROKEN because 100.00
    And promise E1 is BROKEN because USDT above 20.00
    And promise E2 is BROKEN because above 20.00
    And promise E5 is BROKEN because the profile plans
    And promise E7 is BROKEN because above the cap 30.00
    And the venue refused requests of the bot with 40762
