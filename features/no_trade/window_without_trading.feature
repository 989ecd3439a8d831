@fake
Feature: A no-trade bot places nothing

  The venue is the judge: for the whole window no order is placed or attempted, nothing fills, nothing rests, the
  position does not move. The bot's own counters must agree, and never decide.

  Background:
    Given the no-trade profile
    And a flat account of 20 USDT

  @critical
  Scenario: a clean window is proven from the venue's side
    Given the bot is running on BTCUSDT
    When the bounded window ends
    Then the venue saw:
      | settings changed | 1 |
    And these promises are held:
      | promise | about               |
      | N1      | no-trade held       |
      | E8      | settings as said    |
      | E14     | nothing left behind |
    And every row of minute.csv has:
      | orders_active     | 0          |
      | fills_count_today | 0          |
      | state             | soft_pause |
    And the account is flat
