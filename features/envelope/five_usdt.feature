@fake
Feature: The 5 USDT profile is refused as INFEASIBLE

  The venue takes no order below 0.0001 BTC or 5 USDT. Two sides of 2.5 USDT each cannot place one.

  Background:
    Given the 5 USDT profile

  Scenario Outline: no price near the market lets one order through
    When its feasibility is judged at <price> USDT
    Then the profile is INFEASIBLE
    And the arithmetic is:
      | side | own price | planned | needed value |
      | buy  | <buy at>  | 0       | <buy needs>  |
      | sell | <sell at> | 0       | <sell needs> |

    Examples:
      | price | buy at  | sell at | buy needs | sell needs |
      | 67500 | 67263.7 | 67736.3 | 6.72637   | 6.77363    |
      | 50000 | 49825   | 50175   | 9.965     | 5.0175     |

  Scenario: the smallest honest envelope is named
    When its feasibility is judged at 67500 USDT
    Then the smallest envelope that is FEASIBLE is 14 USDT
