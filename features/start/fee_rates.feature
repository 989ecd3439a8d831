@fake
Feature: A bot that cannot learn what it pays does not trade

  Scenario: the venue does not tell the account's fee rates
    Given the micro-cap profile
    And a flat account of 20 USDT
    And the venue refuses to tell the bot its fee rates with 40010
    And the bot is running on BTCUSDT
    Then the bot is in hard_stop because fee_unresolved within 60 s
    And no entry is placed for 120 s
    And the venue refused requests of the bot with 40010
