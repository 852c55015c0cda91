"""What the dashboard says, in Japanese and English."""

from collections.abc import Callable, Mapping

from services.reporting.api.board.booking_words import BOOKING
from shared.errors import Language, Text

PAGES: Mapping[str, tuple[Text, Text]] = {
    "today": (
        Text("Today", "本日の状況"),
        Text(
            "Each site as it is now, from what its counters have told.", "各窓口の現在の状況です。"
        ),
    ),
    "demand": (
        Text("Demand", "件数の推移"),
        Text(
            "Procedures completed by month, beside what was forecast.",
            "手続の完了件数を月別に、予想と並べて示します。",
        ),
    ),
    "booking": (
        Text("Booking", "予約の状況"),
        Text(
            "When the next seat is free, and how full the coming weeks are.",
            "次に予約できる日と、今後の予約の埋まり具合です。",
        ),
    ),
    "preparation": (
        Text("Preparation", "交付準備"),
        Text(
            "Cards waiting at each stage, and how long they take.",
            "各工程で待つカードの枚数と所要日数です。",
        ),
    ),
    "equity": (
        Text("Equity", "地域の公平性"),
        Text(
            "How near and how soon each ward is served.",
            "区ごとの近さと早さを比べます。",
        ),
    ),
    "system": (
        Text("System", "システム"),
        Text("Whether news travels between the services.", "サービス間の連携の状況です。"),
    ),
}
"""The pages in order: title, and what stands below it."""

WORDS: Mapping[str, Text] = BOOKING | {
    "product": Text("Madoguchi", "まどぐち"),
    "skip": Text("Skip to the figures", "本文へ移動"),
    "pages": Text("Pages", "画面の切替"),
    "live": Text("Live updates", "自動更新"),
    "lost": Text(
        "The connection is lost; the figures may be old. It is being tried again.",
        "接続が切れました。表示が古い可能性があります。再接続しています。",
    ),
    "language": Text("日本語", "English"),
    "sign_in": Text("Sign in to the dashboard", "運用画面にサインイン"),
    "sign_in_lead": Text(
        "For staff who steer: planners, supervisors, back office, auditors.",
        "企画・監督・交付準備・監査の担当者用です。",
    ),
    "sign_out": Text("Sign out", "サインアウト"),
    "token": Text("Access token", "アクセストークン"),
    "go_on": Text("Go on", "続ける"),
    "public_page": Text("Public page", "公開ページ"),
    "years": Text("Other fiscal years", "他の年度"),
    "nothing": Text("Nothing is known yet.", "まだ記録がありません。"),
    "none_found": Text("There is none.", "該当はありません。"),
    "as_of": Text("As of", "時点"),
    "all": Text("All together", "全体"),
    "site": Text("Site", "窓口"),
    "ward": Text("Ward", "区"),
    "ward_of": Text("Ward of residence", "住所地の区"),
    "kind": Text("Kind", "種別"),
    "ward_office": Text("Ward office", "区役所"),
    "center": Text("Center", "センター"),
    "satellite": Text("Satellite", "サテライト"),
    "temporary_window": Text("Temporary window", "臨時窓口"),
    "cases": Text("Cases", "件数"),
    "cases_and_parties": Text(
        "Cases\n(waiting, being served: parties)", "件数（待ち・対応中は組数）"
    ),
    "cards": Text("Cards", "枚数"),
    "minutes": Text("minutes", "分"),
    "waiting": Text("Waiting", "待ち"),
    "waiting_parties": Text("Parties waiting", "待ち組数"),
    "longest_wait": Text("Longest wait (min)", "最長待ち（分）"),
    "being_served": Text("Being served", "対応中"),
    "served": Text("Served", "完了"),
    "booked": Text("Booked", "予約"),
    "to_come": Text("Still to come", "これから来庁"),
    "counters": Text("Counters at work", "稼働窓口席"),
    "median_wait": Text("Median wait (min)", "待ち中央値（分）"),
    "p90_wait": Text("Wait p90 (min)", "待ち90%値（分）"),
    "late_batches": Text("Late transfer batches", "遅延中の移送"),
    "alarms": Text("Alarms", "注意"),
    "no_alarm": Text("none", "なし"),
    "suspended": Text("national system stopped", "統合端末停止中"),
    "nobody_serves": Text("people wait, no counter at work", "待ちがあるのに稼働なし"),
    "long_wait": Text("wait over 30 minutes", "30分超の待ち"),
    "late_transfer": Text("cards late", "移送遅延"),
    "alerts": Text("What asked for somebody", "警告の履歴"),
    "alerts_note": Text(
        "The last seven days, today included; looked for once a minute, and by this page.",
        "本日を含む直近7日間です（1分ごとと、この画面の表示時に確認）。",
    ),
    "where": Text("Where", "対象"),
    "seen_first": Text("Since", "発生"),
    "seen_last": Text("Until", "解消"),
    "still": Text("still so", "継続中"),
    "taken_note": Text("Taken note of by", "確認者"),
    "take_note": Text("Take note", "確認する"),
    "each_site": Text("Each site", "窓口別"),
    "sites_chart": Text(
        "Bars per site: cases served, being served, waiting and still to come. "
        "The table below has the figures.",
        "窓口ごとの完了・対応中・待ち・これから来庁の件数を示す棒グラフ。数値は下の表にあります。",
    ),
    "counters_note": Text(
        "A counter is at work when it has somebody or called somebody within half an hour. "
        "Idle counters are not told by events.",
        "稼働中とは、対応中か30分以内に呼出しがあった窓口席です。待機中の窓口席は記録されません。",
    ),
    "hours_today": Text("The day by the hour", "時間帯別"),
    "hours_chart": Text(
        "Bars per hour of all sites: counter minutes planned, offered, booked and used. "
        "The table below has the figures.",
        "全窓口の計画・提供・予約・利用の時間（分）を時間帯別に示す棒グラフ。数値は下の表にあります。",
    ),
    "hours_note": Text(
        "Used minutes are known once a site has signed off its day.",
        "利用時間は各窓口の業務終了後に確定します。",
    ),
    "hour": Text("Hour", "時"),
    "planned": Text("Planned", "計画"),
    "offered": Text("Offered", "提供"),
    "used": Text("Used", "利用"),
    "no_show": Text("No-show", "無断不来庁"),
    "counter_minutes": Text("Counter minutes", "窓口時間（分）"),
    "first_free": Text("First free day", "最短の予約可能日"),
    "days": Text("Days", "日数"),
    "days_ahead": Text("Days from today", "本日からの日数"),
    "procedure": Text("Procedure", "手続"),
    "card_issuance": Text("Card issuance", "カード交付"),
    "certificate_renewal": Text("Certificate renewal", "電子証明書更新"),
    "by_site": Text("First free day per site", "窓口別の最短予約可能日"),
    "by_ward": Text("First free day per ward of residence", "住所地の区別の最短予約可能日"),
    "by_ward_chart": Text(
        "Bars per ward: days until the first free seat, for both procedures. "
        "The table below has the figures.",
        "区ごとに、最短予約可能日までの日数を手続別に示す棒グラフ。数値は下の表にあります。",
    ),
    "free_note": Text(
        "Seats offered less seats booked, from tomorrow to 60 days ahead; seats that are held for "
        "somebody just now are not known here.",
        "提供枠から予約済みを引いた数です（明日から60日先まで）。確保中の枠は含みません。",
    ),
    "at": Text("Where", "窓口"),
    "none_free": Text("none in 60 days", "60日以内になし"),
    "full": Text("Booked share", "予約率"),
    "business_days": Text("Business days", "営業日"),
    "heat": Text("How full the coming weeks are", "今後4週間の予約率"),
    "heat_chart": Text(
        "A square per site and day, darker (in dark colours: lighter) the more of its time is "
        "booked. The table below has the figures.",
        "窓口と日ごとの予約率を色の濃淡で示す図。数値は下の表にあります。",
    ),
    "completed": Text("Completed", "完了件数"),
    "actual": Text("Actual", "実績"),
    "forecast": Text("Forecast", "予想"),
    "month": Text("Month", "月"),
    "year": Text("Fiscal year", "年度"),
    "sum": Text("Year", "計"),
    "plan_table": Text("The plan's table", "計画の表"),
    "months_chart": Text(
        "Lines by month: procedures completed and forecast, both procedures. "
        "The table below has the figures.",
        "手続別の完了件数と予想を月別に示す折れ線グラフ。数値は下の表にあります。",
    ),
    "left": Text("Months away from their forecast", "予想から外れた月"),
    "band_note": Text(
        "Months that differ from the newest forecast by more than {}.",
        "最新の予想との差が{}を超えた月です。",
    ),
    "both": Text("Both", "合計"),
    "row": Text("Row", "手続名"),
    "so_far": Text("{} (so far)", "{}（途中）"),
    "so_far_note": Text(
        "{} is not over: its figure, and the year's, are what was completed so far. In the chart "
        "it is a hollow point, joined to no line.",
        "{}は途中の月です。月と年の計はこれまでの完了分です。グラフでは線で結ばず白抜きの点で示します。",
    ),
    "backlog": Text("Cards at each stage", "工程別の枚数"),
    "backlog_chart": Text(
        "A bar per stage: cards that wait there. The table below has the figures.",
        "工程ごとに待つカードの枚数を示す棒グラフ。数値は下の表にあります。",
    ),
    "stage": Text("Stage", "工程"),
    "pace": Text("Left it per business day", "1営業日の処理数"),
    "outlook": Text("Business days until it is empty", "解消までの営業日数"),
    "oldest": Text("Waiting longest since", "最も古い滞留"),
    "pace_note": Text(
        "The pace is the mean of the last 10 full business days, without today; the outlook is "
        "today's backlog at that pace, with nothing new.",
        "処理数は本日を除く直近10営業日の平均、解消日数は現在の滞留をその速さで"
        "処理した場合の目安です。",
    ),
    "lead_times": Text("How long each step took", "工程別の所要日数"),
    "lead_chart": Text(
        "Bars per step: business days that half and nine tenths of the cards took. "
        "The table below has the figures.",
        "工程ごとの所要営業日数（中央値と90%値）を示す棒グラフ。数値は下の表にあります。",
    ),
    "lead_note": Text(
        "Steps that ended in the last 28 days; 0 is the same day.",
        "直近28日間に終わった工程が対象です。0は当日を表します。",
    ),
    "step": Text("Step", "区間"),
    "p50": Text("Half", "中央値"),
    "p90": Text("Nine tenths", "90%値"),
    "p50_business": Text("Half: business days", "中央値（営業日）"),
    "p90_business": Text("Nine tenths: business days", "90%値（営業日）"),
    "p50_days": Text("Half: days", "中央値（日）"),
    "p90_days": Text("Nine tenths: days", "90%値（日）"),
    "totals": Text("The four official totals", "公式の4累計"),
    "applied": Text("Applied", "申請受付"),
    "shipped": Text("Shipped", "発送"),
    "preset_total": Text("Preset", "交付前設定"),
    "issued": Text("Issued", "交付"),
    "issued_until_now": Text("Issued until now", "交付（累計）"),
    "waiting_for_shipment": Text("Waiting for shipment", "発送待ち"),
    "waiting_for_preset": Text("Waiting for preset", "交付前設定待ち"),
    "waiting_for_issuance": Text("Waiting for issuance", "交付待ち"),
    "unknown": Text("not told yet", "未確認"),
    "received": Text("Received, to inspect", "受領済・検品待ち"),
    "inspected": Text("Inspected, for the registry check", "検品済・住基確認待ち"),
    "registry_checked": Text("Checked, for the preset", "住基確認済・交付前設定待ち"),
    "preset": Text("Preset, to shelve", "交付前設定済・保管待ち"),
    "shelved": Text("Shelved, for the notice", "保管済・通知待ち"),
    "notified": Text("Notified, not booked", "通知済・未予約"),
    "booked_stage": Text("Booked, not handed over", "予約済・未交付"),
    "held": Text("Held", "保留中"),
    "map": Text("Map", "地図"),
    "map_chart": Text(
        "A map: wards and sites, larger the more was completed, and circles of 4 km around the "
        "sites. The table below has the figures.",
        "区と窓口の位置、完了件数の大きさ、窓口から4kmの円を示す地図。数値は下の表にあります。",
    ),
    "map_note": Text(
        "Circles: 4 km around each site. A ward stands where its ward office does.",
        "円は各窓口から4kmの範囲です。区の位置は区役所の位置で表しています。",
    ),
    "per_ward": Text("Each ward", "区別"),
    "own_ward_share": Text("In the own ward", "自区内の割合"),
    "near_share": Text("Within 4 km", "4km以内の割合"),
    "distance_km": Text("Mean distance (km)", "平均距離（km）"),
    "days_to_first_free": Text("Days to a seat", "予約までの日数"),
    "equity_note": Text(
        "Procedures completed in the last 28 days. Distances are straight lines.",
        "直近28日間に完了した手続が対象です。距離は直線距離です。",
    ),
    "spreads": Text("How uneven it is", "区の間の差"),
    "measure": Text("Measure", "指標"),
    "least": Text("Least", "最小"),
    "most": Text("Most", "最大"),
    "gini": Text("Gini coefficient", "ジニ係数"),
    "share_of": Text("Share at {}", "{}の割合"),
    "inequality": Text("Greatest over least", "最大／最小"),
    "services": Text("Each service", "サービス別"),
    "room": Text("Service", "サービス"),
    "process": Text("Process", "プロセス"),
    "state": Text("State", "状態"),
    "answers": Text("answers", "応答あり"),
    "silent": Text("no answer", "応答なし"),
    "lag": Text("Messages behind", "未処理"),
    "messages": Text("Messages", "件"),
    "lag_chart": Text(
        "A bar per service: messages it has not handled yet. The table below has the figures.",
        "サービスごとの未処理メッセージ数を示す棒グラフ。数値は下の表にあります。",
    ),
    "outbox_age": Text("Oldest unpublished (s)", "未送信の最長（秒）"),
    "unpublished": Text("Unpublished", "未送信"),
    "dead_letters": Text("Dead letters", "処理不能"),
    "parked": Text("Set aside", "保留メッセージ"),
    "errors": Text("Errors of the last minutes", "直近のエラー率"),
    "requests": Text("Requests of the last minutes", "直近の要求数"),
    "not_set": Text(
        "No service is named in MADOGUCHI_REPORTING_METRICS_URLS, so there is nothing to read.",
        "MADOGUCHI_REPORTING_METRICS_URLS が未設定のため、読み取る対象がありません。",
    ),
    "silent_processes": Text("Processes without an answer", "応答のないプロセス"),
}

Speaker = Callable[[str], str]


def speaker(language: Language) -> Speaker:
    """Words by their key in ``language``; raises ``KeyError`` for a key nobody has worded."""
    return lambda key: WORDS[key].to(language)
