@fake
Feature: Mode, margin mode and leverage are read back before the first order and stay as declared

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario: the settings are agreed before the first order
    Given the bot is running on BTCUSDT
    When the bounded window ends
    Then these promises are held:
      | promise | about                                  |
      | E8      | mode, margin mode and leverage as said |

  Scenario: the leverage changes in mid-run
    Given a bot that changes the leverage in mid-run
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then promise E8 is BROKEN because leverage was

  Scenario: the first order comes before any reading
    Given a bot that never reads its settings back
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then promise E8 is BROKEN because before
