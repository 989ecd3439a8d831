@fake
Feature: While the book is empty nothing trades, and what rested goes on when it returns

  Nobody offers and nobody asks: the last price stands still, the contract stays open, and whoever sends a market order
  gets nothing for it.

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT
    And the bot is running on BTCUSDT

  Scenario: the price passes the quotes while the book is empty
    When the book is empty for 60 s
    And the price falls 0.40 % within 10 s and recovers within 30 s
    And the bounded window ends
    Then the venue saw:
      | orders placed    | at least 2 |
      | cancels sent     | at least 1 |
      | settings changed | 1          |
    And no promise is broken
    And the account is flat

  Scenario: the book is gone while a position is open
    When the price falls 0.40 % within 10 s
    And the book is empty for 60 s
    And the price rises 0.60 % within 10 s
    And the bounded window ends
    Then the venue saw:
      | orders placed      | at least 3 |
      | cancels sent       | at least 1 |
      | entries filled     | 1          |
      | limit exits filled | 1          |
      | settings changed   | 1          |
    And no promise is broken
    And the account is flat

  Scenario: buyers alone are gone
    When the buy side of the book is empty for 60 s
    And the price rises 0.40 % within 10 s and recovers within 30 s
    And the bounded window ends
    Then no promise is broken
    And the account is flat
