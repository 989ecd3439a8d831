@fake
Feature: In a thin book an exit walks the levels, and what it costs is on record

  Background:
    Given the micro-cap profile with:
      | total_amount_quote | 90 |
    And a calm market at 67500 USDT
    And a flat account of 90 USDT
    And the bot is running on BTCUSDT

  Scenario: a position is stopped out through a thin book
    When the price falls 0.40 % within 10 s
    And the book holds 0.01 % of its size for 60 s
    And the price falls 0.50 % within 30 s
    And the bounded window ends
    Then the venue saw:
      | orders placed       | at least 3 |
      | cancels sent        | at least 1 |
      | entries filled      | 1          |
      | market exits filled | 1          |
      | settings changed    | 1          |
    And an order was filled at 2 prices or more
    And these promises are held:
      | promise | about                          |
      | E10     | closed by reduce-only exits    |
      | E11     | stopped out in time, and near  |
    And no promise is broken
    And the bot's files agree with the venue
    And the account is flat
