@fake
Feature: A no-trade bot clears what an earlier run of its own left, and nothing else

  Background:
    Given the no-trade profile
    And a flat account of 20 USDT

  Scenario: its own resting order is cancelled before the window opens
    Given a resting buy order of an earlier run of the bot
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then the resting order is gone
    And these promises are held:
      | promise | about         |
      | N1      | no-trade held |
    And the account is flat

  Scenario: somebody else's resting order is left as it is, and the window proves nothing
    Given a resting buy order of somebody else
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then the resting order is still open
    And promise N1 is BROKEN because an order rests inside the window
    And these promises are NOT SHOWN:
      | promise | about               |
      | E14     | nothing left behind |
    And the venue saw:
      | settings changed | 1 |
