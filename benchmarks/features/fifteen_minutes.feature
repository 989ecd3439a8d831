@fake
Feature: What a scenario of 15 simulated minutes costs

  The same scenario several times in one process: the first take pays for what is loaded on demand, the others do not.

  Scenario Outline: a micro-cap bot in its bounded window, take <take>
    Given the micro-cap profile
    And a flat account of 20 USDT
    And a bounded window of 15 min
    And the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s and recovers within 60 s
    And the bounded window ends
    Then no promise is broken
    And the account is flat

    Examples:
      | take |
      | 1    |
      | 2    |
      | 3    |
      | 4    |
      | 5    |
      | 6    |

  Scenario Outline: a no-trade bot in its bounded window, take <take>
    Given the no-trade profile
    And a flat account of 20 USDT
    And a bounded window of 15 min
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then no promise is broken
    And the account is flat

    Examples:
      | take |
      | 1    |
      | 2    |
      | 3    |
      | 4    |
      | 5    |
      | 6    |
