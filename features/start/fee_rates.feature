@fake
Feature: A bot that cannot learn what it pays does not trade

  Background:
    Given the micro-cap profile
    And a flat account of 20 USDT
    And the venue refuses to tell the bot its fee rates with 40010
    And the bot is running on BTCUSDT

  Scenario: the venue does not tell the account's fee rates
    Then the bot is in hard_stop because fee_unresolved within 60 s
    And no entry is placed for 120 s
    And the venue refused requests of the bot with 40010

  Scenario: the venue tells them again and the operator resumes the bot
    When 60 s pass
    And the venue is itself again
    And the operator resumes the bot
    Then the bot is running within 120 s
    And the venue refused requests of the bot with 40010
    And these promises are held:
      | promise | about                   |
      | E16     | the window was not idle |
