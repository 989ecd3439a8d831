@fake
Feature: After a stop the bot pauses before it quotes again

  Scenario: a position is stopped out
    Given the micro-cap profile with:
      | cooldown_time | 240 |
    And a calm market at 67500 USDT
    And a flat account of 20 USDT
    And the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s
    And the price falls 0.50 % within 30 s
    Then the bot is in soft_pause because cooldown within 30 s
    And no entry is placed for 180 s
    And the bot is running within 60 s
    When the bounded window ends
    Then these promises are held:
      | promise | about                |
      | E11     | stopped out in time  |
      | E15     | reasons are recorded |
