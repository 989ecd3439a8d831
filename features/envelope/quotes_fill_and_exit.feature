@fake
Feature: A micro-cap bot trades inside its capital envelope

  Twenty USDT, one order per side 35 bps away from mid, one exit at a time: what the profile promises is judged from
  the venue's record.

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT
    And the bot is running on BTCUSDT

  Rule: A position is closed by the exit that the profile names

    @critical
    Scenario: a buy quote fills and its take-profit closes the position
      When the price falls 0.40 % within 10 s and recovers within 60 s
      And the price rises 0.30 % within 30 s
      And the bounded window ends
      Then the venue saw:
        | orders placed      | at least 6 |
        | cancels sent       | at least 4 |
        | entries filled     | 1          |
        | limit exits filled | 1          |
        | settings changed   | 1          |
      And these promises are held:
        | promise | about                                      |
        | E1      | exposure inside the envelope               |
        | E2      | no order above the envelope                |
        | E4      | every order fits the contract              |
        | E5      | sizes as planned                           |
        | E8      | mode, margin mode and leverage as said     |
        | E10     | every position closed by reduce-only exits |
        | E14     | nothing left behind                        |
        | E16     | the window was not idle                    |
      And the bot's files agree with the venue
      And the account is flat

    @critical
    Scenario: a sell quote fills and its take-profit closes the position
      When the price rises 0.40 % within 10 s and recovers within 60 s
      And the price falls 0.30 % within 30 s
      And the bounded window ends
      Then the venue saw:
        | orders placed      | at least 6 |
        | cancels sent       | at least 4 |
        | entries filled     | 1          |
        | limit exits filled | 1          |
        | settings changed   | 1          |
      And these promises are held:
        | promise | about                                      |
        | E1      | exposure inside the envelope               |
        | E10     | every position closed by reduce-only exits |
        | E14     | nothing left behind                        |
      And the bot's files agree with the venue
      And the account is flat

    Scenario: a position that runs against the bot is stopped out
      When the price falls 0.40 % within 10 s
      And the price falls 0.50 % within 30 s
      And the bounded window ends
      Then the venue saw:
        | orders placed       | at least 6 |
        | cancels sent        | at least 4 |
        | entries filled      | 1          |
        | market exits filled | 1          |
        | settings changed    | 1          |
      And every position is closed within 60 s of its opening
      And these promises are held:
        | promise | about                                      |
        | E1      | exposure inside the envelope               |
        | E10     | every position closed by reduce-only exits |
        | E14     | nothing left behind                        |
      And the bot's files agree with the venue
      And the account is flat
