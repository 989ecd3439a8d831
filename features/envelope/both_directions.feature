@fake
Feature: Both order directions and the operator's stop are exercised before scale-up

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario: a buy, a sell, and an operator's stop with a position open
    Given the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s
    And the operator stops the bot
    And 60 s pass
    Then the account is flat
    When the bounded window ends
    Then these promises are held:
      | promise | about                          |
      | E17     | directions and kill path shown |

  Scenario: nobody stops the bot
    Given the bot is running on BTCUSDT
    When the bounded window ends
    Then these promises are NOT SHOWN:
      | promise | about                          |
      | E17     | directions and kill path shown |
