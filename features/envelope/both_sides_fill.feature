@fake
Feature: When both sides fill the venue nets, and no exit is owed

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario: the price swings through both quotes faster than they can be withdrawn
    Given the bot is running on BTCUSDT
    When the venue refuses the bot's next 2 cancels with 45001
    And the price swings 0.40 % down and 0.90 % up, each within 1 s and 1 s apart
    And the bounded window ends
    Then the venue refused requests of the bot with 45001
    And the venue saw:
      | orders placed    | at least 4 |
      | cancels sent     | at least 4 |
      | requests refused | at least 2 |
      | entries filled   | 2          |
      | settings changed | 1          |
    And these promises are held:
      | promise | about                        |
      | E1      | exposure inside the envelope |
      | E14     | nothing left behind          |
      | C10     | the netted position          |
    And no promise is broken
    And the account is flat
