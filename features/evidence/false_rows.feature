@fake
Feature: What a bot writes down must agree with the venue

  The bots trade as they should, and write one cell that is false. A buy fills, and is closed at the end.

  Background:
    Given the micro-cap profile
    And a calm market at 67500 USDT
    And a flat account of 20 USDT

  Scenario Outline: a bot that <misdeed>
    Given a bot that <misdeed>
    And the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s and recovers within 60 s
    And the price rises 0.10 % within 30 s
    And the bounded window ends
    Then promise <promise> is BROKEN because <reason>

    Examples:
      | misdeed                                    | promise | reason                |
      | writes down seven fills a day              | C2      | fills_count_today     |
      | writes down no fees                        | C3      | fees_paid_today_quote |
      | writes down no turnover                    | C4      | turnover_today_x      |
      | writes down a market spread of 1 bps       | C5      | 10000 x its fraction  |
      | writes down a loss beyond its drawdown     | C6      | a daily loss of 0.5   |
      | writes its fills to somebody else's order  | C9      | by-hand-1             |
      | writes exits with the side of their entries | C10    | position              |
      | writes maker fills as taker fills          | C12     | maker                 |
      | writes down no cancels                     | C13     | cancel_per_min        |
      | writes down an empty book                  | C14     | has an empty side     |
      | writes rows of two runs                    | C15     | run_id                |
      | leaves a column of minute.csv out          | C16     | skew                  |

  Scenario: the bot's files are true
    Given the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s and recovers within 60 s
    And the price rises 0.10 % within 30 s
    And the bounded window ends
    Then the bot's files agree with the venue

  Scenario: fills are left out
    Given a bot that leaves fills out of fills.csv
    And the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s and recovers within 60 s
    And the price rises 0.10 % within 30 s
    And the bounded window ends
    Then promise C8 is BROKEN because is not in fills.csv
    And promise C2 is BROKEN because fills_count_today
    And promise C3 is BROKEN because fees_paid_today_quote
    And promise C4 is BROKEN because turnover_today_x

  Scenario: notionals are invented
    Given a bot that writes notionals that are not price x amount
    And the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s and recovers within 60 s
    And the price rises 0.10 % within 30 s
    And the bounded window ends
    Then promise C1 is BROKEN because price x amount
    And promise C4 is BROKEN because turnover_today_x

  Scenario: the counters of the day fall
    Given a bot that forgets its fills every other minute
    And the bot is running on BTCUSDT
    When the price falls 0.40 % within 10 s and recovers within 60 s
    And the price rises 0.10 % within 30 s
    And the bounded window ends
    Then promise C7 is BROKEN because fills_count_today
    And promise C2 is BROKEN because fills_count_today
