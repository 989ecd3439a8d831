@fake
Feature: The loss of a day stays within the limit

  3 % of 20 USDT are 0.60 USDT. With a stop of 5 % one stop-out costs about 0.35 USDT: a second would go beyond it.

  Background:
    Given the micro-cap profile with:
      | stop_loss | 0.05 |
    And a calm market at 67500 USDT
    And a flat account of 20 USDT
    And a bounded window of 30 min

  Scenario: no second position is opened after a large loss
    Given the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s
    And the price falls 5.20 % within 120 s
    Then the bot is in soft_pause because loss_projected within 120 s
    And no entry is placed for 300 s
    When the bounded window ends
    Then these promises are held:
      | promise | about                 |
      | E18     | the loss inside limit |

  Scenario: the price jumps beyond the stop and takes more than the limit
    Given the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s
    And the price falls 9.80 % within 1 s
    Then the bot is in hard_stop because daily_loss within 10 s
    And no entry is placed for 300 s
    And promise E18 is BROKEN because the limit is 0.60
    And these promises are held:
      | promise | about               |
      | E13     | the hard stop stays |
      | E14     | nothing left behind |

  Scenario: the bot trades on
    Given a bot that trades on whatever it has lost
    And the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s
    And the price falls 5.20 % within 120 s
    And 2 min pass
    And the price falls 0.40 % within 10 s
    And the price falls 5.20 % within 120 s
    And the bounded window ends
    Then promise E18 is BROKEN because the limit is 0.60
