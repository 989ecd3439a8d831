@fake
Feature: The promises stand in the markets that were

  The 15-minute candles of February 2026: open, high, low and close are touched as recorded, the way between them is
  drawn from the seed. What these scenarios state holds for every seed.

  Rule: On the wildest day the envelope stands

    On 2026-02-06 Bitcoin fell by 4.2 % in the first quarter of an hour, and at midnight stood 18 % above its low.

    Scenario: the price falls from 62,877 to 60,013
      Given the market of 2026-02-06 from 00:00 UTC as recorded
      And the micro-cap profile
      And a flat account of 20 USDT
      And the bot is running on BTCUSDT
      When the bounded window ends
      Then no promise is broken
      And these promises are held:
        | promise | about                                      |
        | E1      | exposure inside the envelope               |
        | E7      | turnover inside the cap                    |
        | E10     | every position closed by reduce-only exits |
        | E14     | nothing left behind                        |
        | E18     | the loss inside its limit                  |
        | C11     | equity moved as the bills say              |
        | C12     | fees at the account's rates                |
      And the bot's files agree with the venue
      And the account is flat

    @critical
    Scenario: the price climbs back, and a bot that waits for 2 % is stopped out
      Given the market of 2026-02-06 from 00:29 UTC as recorded
      And the micro-cap profile with:
        | take_profit | 0.0200 |
      And a flat account of 20 USDT
      And the bot is running on BTCUSDT
      When the bounded window ends
      Then no promise is broken
      And these promises are held:
        | promise | about                                      |
        | E1      | exposure inside the envelope               |
        | E7      | turnover inside the cap                    |
        | E10     | every position closed by reduce-only exits |
        | E11     | stopped out in time                        |
        | E14     | nothing left behind                        |
        | E18     | the loss inside its limit                  |
      And the bot's files agree with the venue
      And the account is flat

    Scenario: a bot that must not trade sits through it
      Given the market of 2026-02-06 from 00:00 UTC as recorded
      And the no-trade profile
      And a flat account of 20 USDT
      And the bot is running on BTCUSDT
      When the bounded window ends
      Then the venue saw:
        | settings changed | 1 |
      And these promises are held:
        | promise | about           |
        | N1      | nothing traded  |

  Rule: On an ordinary day the bot quotes, and trades where its price is reached

    On 2026-02-22 a quarter of an hour covers 0.18 % on average, and a quote lies 0.35 % away.

    @critical
    Scenario: quotes that rest for a quarter of an hour are reached in the afternoon
      Given the market of 2026-02-22 from 13:29 UTC as recorded
      And the micro-cap profile with:
        | executor_refresh_time | 900 |
      And a flat account of 20 USDT
      And the bot is running on BTCUSDT
      When the bounded window ends
      Then no promise is broken
      And these promises are held:
        | promise | about                                      |
        | E1      | exposure inside the envelope               |
        | E7      | turnover inside the cap                    |
        | E10     | every position closed by reduce-only exits |
        | E14     | nothing left behind                        |
        | E18     | the loss inside its limit                  |
      And the bot's files agree with the venue
      And the account is flat

    Scenario: in the quiet of the morning nothing comes to the quotes
      Given the market of 2026-02-22 from 04:44 UTC as recorded
      And the micro-cap profile
      And a flat account of 20 USDT
      And the bot is running on BTCUSDT
      When the bounded window ends
      Then the venue saw:
        | orders placed    | at least 12 |
        | cancels sent     | at least 12 |
        | settings changed | 1           |
      And these promises are held:
        | promise | about                     |
        | E6      | quotes at their distance  |
        | E9      | cancels inside the budget |
        | E16     | the window was not idle   |

  Rule: Funding is settled at the rate that was

    0.0010 BTC x 67,977.6 USDT x 0.0070 % at 08:00 are 0.00476 USDT.

    Scenario: a long pays what was settled at 08:00
      Given the market of 2026-02-22 from 07:50 UTC as recorded
      And the no-trade profile
      And a flat account of 200 USDT
      And the account is long 0.0010 BTC, as the plan declares
      And the bot is running on BTCUSDT
      When the bounded window ends
      Then the venue saw:
        | settings changed | 1 |
        | fundings settled | 1 |
      And funding of 0.00476 USDT was paid
      And the account is still long 0.0010 BTC
