@fake
Feature: A stop and a time limit are acted on in time and near their price

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Rule: The stop is 0.40 % from the entry

    Scenario: the price runs against a position
      Given the bot is running on BTCUSDT
      When the price falls 0.40 % within 10 s
      And the price falls 0.50 % within 30 s
      And the bounded window ends
      Then these promises are held:
        | promise | about              |
        | E11     | stopped out in time |
        | E10     | every position closed by reduce-only exits |
      And the bot's files agree with the venue

    Scenario: the stop is ignored
      Given a bot that ignores its stop
      And the bot is running on BTCUSDT
      When the price falls 0.40 % within 10 s
      And the price falls 0.50 % within 30 s
      And the bounded window ends
      Then promise E11 is BROKEN because had no exit sent for it within 2 s

  Rule: A position is held for at most 600 s

    Scenario: the price stands still beside a position
      Given the bot is running on BTCUSDT
      When the price falls 0.40 % within 10 s
      And the bounded window ends
      Then the venue saw:
        | orders placed       | at least 4 |
        | cancels sent        | at least 2 |
        | entries filled      | 1          |
        | market exits filled | 1          |
        | settings changed    | 1          |
      And every position is closed within 605 s of its opening
      And these promises are held:
        | promise | about                |
        | E11     | time limit kept      |

    Scenario: the time limit passes
      Given a bot that lets its time limit pass
      And the bot is running on BTCUSDT
      When the price falls 0.40 % within 10 s
      And the bounded window ends
      Then promise E11 is BROKEN because had reached its time limit
