@fake
Feature: A no-trade bot that acts all the same is caught, whether the venue lets it or not

  Background:
    Given the no-trade profile
    And a flat account of 20 USDT

  Scenario: an order is placed far from the market and cancelled within a second
    Given a bot that places one order in a no-trade window and cancels it
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then promise N1 is BROKEN because place
    And the venue saw:
      | orders placed    | 1 |
      | cancels sent     | 1 |
      | settings changed | 1 |

  Scenario: an order is refused
    Given a bot that tries to place an order in a no-trade window
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then promise N1 is BROKEN because place
    And promise E6 is BROKEN because from mid
    And the venue refused requests of the bot with 40815
    And the venue saw:
      | requests refused | 1 |
      | settings changed | 1 |

  Scenario: somebody else's order is cancelled
    Given a resting buy order of somebody else
    And a bot that cancels somebody else's order in a no-trade window
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then promise N1 is BROKEN because an order rests inside the window
    And the resting order is gone
    And the venue saw:
      | cancels sent     | 1 |
      | settings changed | 1 |
