@fake
Feature: The day's counters begin anew at midnight UTC

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT
    And it is 23:48 UTC
    And a bounded window of 30 min

  Scenario: fills before midnight do not count on the new day
    Given the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s and recovers within 60 s
    And the price rises 0.10 % within 30 s
    And 12 min pass
    And the price rises 0.40 % within 10 s and recovers within 60 s
    And the price falls 0.10 % within 30 s
    And the bounded window ends
    Then the bot's files agree with the venue
    And these promises are held:
      | promise | about                              |
      | E7      | turnover inside the cap of each day |
      | E18     | the loss of each day               |
      | C2      | fills counted by the day           |
      | C7      | counters that only grow in a day   |
