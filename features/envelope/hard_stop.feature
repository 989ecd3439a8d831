@fake
Feature: A hard stop stays until an operator lifts it

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario: the venue refuses the bot's cancels, and takes them again
    Given the bot is running on BTCUSDT
    When the venue refuses the bot's next 8 cancels with 45001
    Then the bot is in hard_stop because cancels_refused within 300 s
    And no entry is placed for 120 s
    When the operator resumes the bot
    Then the bot is running within 120 s
    And the venue refused requests of the bot with 45001
    And these promises are held:
      | promise | about               |
      | E13     | the hard stop stays |
      | E14     | nothing left behind |

  Scenario: the operator stops the bot and releases it again
    Given the bot is running on BTCUSDT
    When the operator stops the bot
    Then the bot is in hard_stop because operator within 5 s
    And no entry is placed for 120 s
    When the operator resumes the bot
    Then the bot is running within 120 s
    When the bounded window ends
    Then these promises are held:
      | promise | about               |
      | E13     | the hard stop stays |

  Scenario: the bot quotes on after a hard stop
    Given a bot that trades on after a hard stop
    And the bot is running on BTCUSDT
    When the operator stops the bot
    And the bounded window ends
    Then promise E13 is BROKEN because hard stop of 01:01
