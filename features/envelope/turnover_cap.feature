@fake
Feature: Turnover stays within the cap of the day

  1.5 times 20 USDT: after two round trips of 13.5 USDT there is no room for another entry until midnight UTC.

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT
    And a bounded window of 30 min

  Scenario: two round trips use up the day
    Given the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s and recovers within 60 s
    And the price rises 0.10 % within 30 s
    And 5 min pass
    And the price falls 0.40 % within 10 s and recovers within 60 s
    And the price rises 0.10 % within 30 s
    Then the bot is in soft_pause because turnover_cap within 120 s
    And no entry is placed for 300 s
    When the bounded window ends
    Then these promises are held:
      | promise | about               |
      | E7      | turnover inside cap |
      | E1      | exposure inside the envelope |
    And the account is flat

  Scenario: a third entry
    Given a bot that trades on beyond the turnover cap
    And the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s and recovers within 60 s
    And the price rises 0.10 % within 30 s
    And 5 min pass
    And the price falls 0.40 % within 10 s and recovers within 60 s
    And the price rises 0.10 % within 30 s
    And the bounded window ends
    Then promise E7 is BROKEN because above the cap 30.00
