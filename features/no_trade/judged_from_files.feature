@fake
Feature: The no-trade judge decides from the files of a run, and sees what lies between two rows

  The bot's rows, the record of the run and the venue's record are read back from the sealed folder. A bot that writes
  nothing down is told by the venue; a bot that may trade is told by its profile.

  Background:
    Given a flat account of 20 USDT

  @critical
  Scenario: a clean window passes
    Given the no-trade profile
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then the no-trade judge says PASS
    And the venue saw:
      | settings changed | 1 |

  Scenario: one order is placed and cancelled between two rows
    Given the no-trade profile
    And a bot that places one order in a no-trade window and cancels it
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then the no-trade judge says FAIL because an order of 0.0001 at the venue
    And promise N1 is BROKEN because place
    And the venue saw:
      | orders placed    | 1 |
      | cancels sent     | 1 |
      | settings changed | 1 |

  Scenario: an order is refused and leaves no trace at the venue
    Given the no-trade profile
    And a bot that tries to place an order in a no-trade window
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then the no-trade judge says FAIL because refused with 40815
    And promise N1 is BROKEN because place
    And promise E6 is BROKEN because from mid
    And the venue refused requests of the bot with 40815
    And the venue saw:
      | requests refused | 1 |
      | settings changed | 1 |

  Scenario: the bot dies in the middle of its window
    Given the no-trade profile
    And a bot that dies in the middle of its window
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then the no-trade judge says INVALID because the bot did not live to its stop
    And the bot crashed
    And the venue saw:
      | settings changed | 1 |
