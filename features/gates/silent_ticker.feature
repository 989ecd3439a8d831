@fake
Feature: A bot without fresh prices does not trade

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario: the ticker falls silent and returns
    Given the bot is running on BTCUSDT
    When the ticker falls silent for 180 s
    Then the bot is in soft_pause because order_book_stale within 45 s
    And the bot's orders are gone within 5 s
    And no entry is placed for 120 s
    And the bot is running within 60 s
    When the bounded window ends
    Then these promises are held:
      | promise | about                |
      | E15     | reasons are recorded |
      | E14     | nothing left behind  |
