@fake
Feature: Between recorded trades an order fills as the venue would fill it

  Every trade of a few minutes is replayed at its instant. A quote fills where the market trades through its price, at
  its own price and the maker's fee, and every fill is pushed and told again by the histories.

  The profile quotes one side 1 bp from mid and leaves the other where it is: with both so near the market no quote would
  pay, and the edge gate would not open.

  Background:
    Given a flat account of 20 USDT

  @critical
  Scenario: buys fill in falling trades
    Given the trades of 2026-02-21 as recorded
    And the micro-cap profile with:
      | buy_spreads           | 0.0001 |
      | executor_refresh_time | 20     |
      | time_limit            | 60     |
      | turnover_cap_x        | 6      |
    And a bounded window of 5 min
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then the venue saw:
      | orders placed       | at least 12 |
      | cancels sent        | at least 8  |
      | entries filled      | at least 1  |
      | market exits filled | at least 1  |
      | settings changed    | 1           |
    And every position is closed within 65 s of its opening
    And these promises are held:
      | promise | about                                      |
      | E6      | quotes at their distance                   |
      | E10     | every position closed by reduce-only exits |
      | E14     | nothing left behind                        |
      | C8      | the bot's fills are the venue's            |
      | C11     | equity moved as the bills say              |
      | C12     | fees at the account's rates                |
    And the bot's files agree with the venue

  Scenario: sells fill in rising trades
    Given the trades of 2026-02-28 as recorded
    And the micro-cap profile with:
      | sell_spreads          | 0.0001 |
      | executor_refresh_time | 20     |
      | time_limit            | 60     |
      | turnover_cap_x        | 6      |
    And a bounded window of 3 min
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then the venue saw:
      | orders placed       | at least 8 |
      | cancels sent        | at least 4 |
      | entries filled      | at least 1 |
      | market exits filled | at least 1 |
      | settings changed    | 1          |
    And these promises are held:
      | promise | about                                      |
      | E10     | every position closed by reduce-only exits |
      | E14     | nothing left behind                        |
      | C12     | fees at the account's rates                |
    And the bot's files agree with the venue
