@fake
Feature: Exposure never exceeds the envelope

  What is held, what rests, and what was sent and is not answered yet add up to at most 20 USDT.

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario: both quotes rest, one fills and its exit rests
    Given the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s and recovers within 60 s
    And the bounded window ends
    Then these promises are held:
      | promise | about                        |
      | E1      | exposure inside the envelope |

  Scenario: a third quote goes beyond it
    Given a bot that quotes each buy twice
    And the bot is running on BTCUSDT
    When the bounded window ends
    Then promise E1 is BROKEN because USDT above 20.00
    And the venue refused requests of the bot with 40762
