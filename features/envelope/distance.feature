@fake
Feature: Every entry keeps its distance from mid

  The profile promises 35 bps. Mid is the one most favourable to the bot that it can have seen in the second before.

  Background:
    Given the micro-cap profile
    And a flat account of 20 USDT

  Scenario: quotes stand 35 bps away from a mid that moves
    Given a market 200 % as wild as an ordinary hour
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then these promises are held:
      | promise | about              |
      | E6      | distances as said  |

  Scenario: quotes stand 20 bps away
    Given a bot that quotes nearer to mid than its profile says
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then promise E6 is BROKEN because from mid
