@fake
Feature: A bot that would not earn its costs does not quote

  The net edge is 0.4 times the quoted spread less fee, slippage and the drift of the last 30 s. Below 3 bps the gate
  closes; it opens above 3 bps, and stays in either state for at least 60 s.

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario: the price drifts by 30 bps and comes to rest
    Given the bot is running on BTCUSDT
    When 2 min pass
    And the price rises 0.30 % within 20 s
    Then the bot is in soft_pause because edge_gate_blocked within 30 s
    And no entry is placed for 45 s
    And the bot is running within 180 s
    When the bounded window ends
    Then these promises are held:
      | promise | about                        |
      | E15     | reasons are recorded         |
      | E1      | exposure inside the envelope |
