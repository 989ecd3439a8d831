@fake
Feature: The fake proves the harness and closes nothing

  COMPLETED needs live evidence of the bot of the rollout. Until then the status is PARTIAL, and says why.

  Scenario: a perfect run on the fake leaves the rollout PARTIAL
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT
    And the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s and recovers within 60 s
    And the price rises 0.30 % within 30 s
    And the bounded window ends
    And the closure is computed
    Then the closure status is PARTIAL
    And it is missing:
      | item | because                                      |
      | K0   | the bot judged is not the bot of the rollout |
      | K1   | approval                                     |
      | K2   | feasibility                                  |
      | K3   | pre-flight                                   |
      | K4   | live                                         |
      | K5   | live                                         |
      | K6   | live                                         |
      | K7   | live                                         |
      | K8   | live                                         |
      | K9   | incident                                     |
      | K10  | rollback                                     |
      | K11  | manifest                                     |
      | K12  | run document                                 |
