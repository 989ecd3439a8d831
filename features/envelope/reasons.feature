@fake
Feature: A pause and a hard stop always carry a recorded reason

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario: the operator's stop is recorded as the reason
    Given the bot is running on BTCUSDT
    When the operator stops the bot
    And 120 s pass
    And the bounded window ends
    Then these promises are held:
      | promise | about                |
      | E15     | reasons are recorded |

  Scenario: a pause without a word
    Given a bot that pauses without giving a reason
    And the bot is running on BTCUSDT
    When the operator stops the bot
    And 120 s pass
    And the bounded window ends
    Then promise E15 is BROKEN because gives no reason
