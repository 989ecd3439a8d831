@fake
Feature: Funding moves the account's money and nothing else

  At 08:00 UTC a long pays size x mark x rate where the rate is positive, and a short receives it.

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT
    And a funding rate of 0.0500 %
    And it is 07:50 UTC

  Scenario: a long crosses the settlement
    Given the bot is running on BTCUSDT
    When 4 min pass
    And the price falls 0.40 % within 10 s
    And the bounded window ends
    Then the venue saw:
      | orders placed       | at least 6 |
      | cancels sent        | at least 4 |
      | entries filled      | 1          |
      | market exits filled | 1          |
      | settings changed    | 1          |
      | fundings settled    | 1          |
    And these promises are held:
      | promise | about                           |
      | C11     | equity moved as the bills say   |
      | C12     | fees at the account's rates     |
      | E18     | the loss inside limit           |
    And the bot's files agree with the venue

  Scenario: a flat account crosses the settlement
    Given the bot is running on BTCUSDT
    When the bounded window ends
    Then the venue saw:
      | orders placed    | at least 6 |
      | cancels sent     | at least 4 |
      | settings changed | 1          |
