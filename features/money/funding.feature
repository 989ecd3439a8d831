@fake
Feature: Funding moves the account's money as the rate says

  At 00:00, 08:00 and 16:00 UTC a long pays size x mark x rate where the rate is positive, and a short receives it:
  0.0001 BTC x 67,250 USDT x 0.05 % are 0.0034 USDT.

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT
    And a funding rate of 0.0500 %

  Scenario: a long pays at 08:00
    Given it is 07:50 UTC
    And the bot is running on BTCUSDT
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
    And funding of 0.0034 USDT was paid
    And these promises are held:
      | promise | about                         |
      | C11     | equity moved as the bills say |
      | C12     | fees at the account's rates   |
      | E18     | the loss inside limit         |
    And the bot's files agree with the venue

  Scenario: a short receives at midnight
    Given it is 23:50 UTC
    And the bot is running on BTCUSDT
    When 4 min pass
    And the price rises 0.40 % within 10 s
    And the bounded window ends
    Then the venue saw:
      | orders placed       | at least 6 |
      | cancels sent        | at least 4 |
      | entries filled      | 1          |
      | market exits filled | 1          |
      | settings changed    | 1          |
      | fundings settled    | 1          |
    And funding of 0.0034 USDT was received
    And the bot's files agree with the venue

  Scenario: a flat account pays nothing
    Given it is 15:50 UTC
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then the venue saw:
      | orders placed    | at least 6 |
      | cancels sent     | at least 4 |
      | settings changed | 1          |
