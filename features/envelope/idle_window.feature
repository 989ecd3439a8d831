@fake
Feature: An idle window proves nothing

  A bot that never trades keeps every limit. That is not evidence: what was never exercised is NOT SHOWN.

  Scenario: a bot that sends no order through the whole window
    Given the micro-cap profile
    And a flat account of 20 USDT
    And a bot that never quotes
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then the venue saw:
      | settings changed | 1 |
    And these promises are NOT SHOWN:
      | promise | about                                      |
      | E1      | exposure inside the envelope               |
      | E2      | no order above the envelope                |
      | E5      | sizes as planned                           |
      | E10     | every position closed by reduce-only exits |
      | E16     | the window was not idle                    |
    And no promise is broken
