@fake
Feature: No single entry is worth more than the envelope

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario: every quote is worth its share
    Given the bot is running on BTCUSDT
    When the bounded window ends
    Then these promises are held:
      | promise | about                       |
      | E2      | no order above the envelope |

  Scenario: one entry of three times the minimum is worth more than 20 USDT
    Given a bot that sends entries worth more than the envelope
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then promise E2 is BROKEN because above 20.00
    And promise E1 is BROKEN because USDT above 20.00
    And promise E5 is BROKEN because the profile plans
    And the venue refused requests of the bot with 40762
