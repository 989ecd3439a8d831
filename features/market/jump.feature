@fake
Feature: A price that jumps is paid for as the market stands, and no promise breaks

  Between one second and the next the price is elsewhere: what lies between is never traded.

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT
    And the bot is running on BTCUSDT

  Scenario: the price jumps through a resting entry
    When the price falls 0.40 % at once
    And the bounded window ends
    Then the venue saw:
      | orders placed       | at least 3 |
      | cancels sent        | at least 1 |
      | entries filled      | 1          |
      | market exits filled | 1          |
      | settings changed    | 1          |
    And no promise is broken
    And the bot's files agree with the venue
    And the account is flat

  Scenario: the price jumps beyond the stop of a position
    When the price falls 0.40 % within 10 s
    And the price falls 0.60 % at once
    And the bounded window ends
    Then the venue saw:
      | orders placed       | at least 3 |
      | cancels sent        | at least 1 |
      | entries filled      | 1          |
      | market exits filled | 1          |
      | settings changed    | 1          |
    And every position is closed within 30 s of its opening
    And no promise is broken
    And the account is flat
