@fake
Feature: Cancels stay within the budget

  A profile that refreshes its quotes every 5 s would cancel 24 times a minute; 20 are allowed.

  Background:
    Given the micro-cap profile with:
      | executor_refresh_time | 5 |
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario: the bot pauses before the budget is used up
    Given the bot is running on BTCUSDT
    Then the bot is in soft_pause because cancel_budget within 120 s
    When the bounded window ends
    Then these promises are held:
      | promise | about                |
      | E9      | cancels inside budget |

  Scenario: the bot does not count its cancels
    Given a bot that cancels without counting
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then promise E9 is BROKEN because cancels
