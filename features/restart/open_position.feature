@fake
Feature: A bot that starts again reconciles with the venue before it trades

  The exit that rested before the death is no help here: only a bot that takes the position over stops it out.

  Scenario: the bot dies with a position open, comes back, and the price runs against it
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT
    And the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s
    And the bot is killed and started again
    And 60 s pass
    And the price falls 0.50 % within 30 s
    And the bounded window ends
    Then the venue saw:
      | orders placed       | at least 4 |
      | cancels sent        | at least 2 |
      | entries filled      | 1          |
      | market exits filled | 1          |
      | settings changed    | 1          |
    And these promises are held:
      | promise | about                                      |
      | E1      | exposure inside the envelope               |
      | E10     | every position closed by reduce-only exits |
      | E11     | stopped out in time                        |
      | E14     | nothing left behind                        |
    And the bot's files agree with the venue
    And the account is flat
