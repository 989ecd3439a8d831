@fake
Feature: An idle window proves nothing

  A bot that never trades keeps every limit. That is not evidence: what was never exercised is NOT SHOWN.

  Scenario: a bot that sends no order through the whole window
    Given the micro-cap profile
    And a flat account of 20 USDT
    And a calm market at 67500 USDT
    And a bot that never quotes
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then the venue saw:
      | settings changed | 1 |
    And these promises are NOT SHOWN:
      | promise | about                                      |
      | E1      | exposure inside the envelope               |
      | E2      | no order above the envelope                |
      | E3      | below the desk cap                         |
      | E4      | every order fits the contract              |
      | E5      | sizes as planned                           |
      | E6      | distances as said                          |
      | E7      | turnover inside cap                        |
      | E9      | cancels inside budget                      |
      | E10     | every position closed by reduce-only exits |
      | E11     | stops and time limits                      |
      | E12     | nothing unanswered is left unknown         |
      | E13     | the hard stop stays                        |
      | E15     | reasons are recorded                       |
      | E16     | the window was not idle                    |
      | E17     | directions and kill path                   |
      | E18     | the loss inside limit                      |
    And no promise is broken
