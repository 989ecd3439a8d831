@fake
Feature: Every entry has the size that the profile plans

  The judge reckons the plan itself: 10 USDT a side at the order's own price, rounded down to the step.

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario: both quotes have the planned size
    Given the bot is running on BTCUSDT
    When the bounded window ends
    Then these promises are held:
      | promise | about            |
      | E5      | sizes as planned |

  Scenario: twice the planned size, still inside the envelope
    Given a bot that sends twice the planned size
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then promise E5 is BROKEN because the profile plans
