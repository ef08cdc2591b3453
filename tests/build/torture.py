"""The torture cases of mail, by number: each built by code, with the outcome that is expected of it.

1–17 are matters of the receiver: `RECEIVER` names the tests that hold them. 18–68 are messages, in `structure` and `content`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Case(NamedTuple):
    """A message and what must become of it. None: not looked at."""

    number: int
    name: str
    data: bytes | Callable[[], bytes]
    ends: str = "delivered"                     # or the code of the refusal
    body: str | None = None                     # the text below the notice
    subject: str | None = None
    says: tuple[str, ...] = ()                  # … or what must be in the delivered mail's text, notice and all
    hides: tuple[str, ...] = ()                 # … and what must not
    files: tuple[str, ...] | None = None        # names of the attachments that are delivered
    stays: tuple[str, ...] | None = ()          # reasons of the parts that are not delivered
    codes: tuple[str, ...] = ()                 # findings that must be there

    def built(self) -> bytes:
        return self.data if isinstance(self.data, bytes) else self.data()


# Case -> (file below tests/, function) that holds it.
RECEIVER: dict[int, tuple[tuple[str, str], ...]] = {
    1: (("mail/test_smuggling.py", "test_a_false_end_is_never_the_end"), ("mail/test_data.py", "test_only_one_sequence_ends")),
    2: (("mail/test_server.py", "test_the_end_in_any_two_segments"), ("mail/test_data.py", "test_any_cut_of_any_stream_reads_as_octet_for_octet")),
    3: (("mail/test_data.py", "test_the_first_line_and_doubled_dots"),),
    4: (("mail/test_receiver.py", "test_bare_line_ends_in_commands"), ("mail/test_address.py", "test_a_sender_is_one_address")),
    5: (("mail/test_receiver.py", "test_commands_sent_along_with_starttls_are_not_executed"), ("mail/test_hops.py", "test_plain_commands_do_not_survive_starttls")),
    6: (("mail/test_receiver.py", "test_content_before_354_is_refused_and_nothing_stored"), ("mail/test_server.py", "test_content_that_comes_before_354_is_refused")),
    7: (("mail/test_data.py", "test_memory_stays_with_the_chunk"), ("mail/test_server.py", "test_content_below_the_least_rate_ends_and_leaves_nothing")),
    8: (("mail/test_receiver.py", "test_a_lie_about_the_size_is_drained_for_a_while_and_then_cut"), ("mail/test_server.py", "test_an_oversized_mail_is_answered_and_cut")),
    9: (("mail/test_server.py", "test_five_thousand_recipients"), ("mail/test_receiver.py", "test_recipients_are_counted_once_and_up_to_the_limit")),
    10: (("mail/test_receiver.py", "test_no_relay_in_any_spelling"), ("mail/test_address.py", "test_no_spelling_of_a_recipient_has_a_second_destination"), ("gateway/road/test_post.py", "test_no_spelling_makes_us_a_relay")),
    11: (("mail/test_receiver.py", "test_lines_by_themselves"),),
    12: (("mail/test_server.py", "test_a_client_that_closes_its_half_after_the_dot_is_answered"), ("mail/test_server.py", "test_a_client_that_is_cut_off_after_the_dot_has_its_mail_kept_once")),
    13: (("e2e/test_kill.py", "test_a_few_kills_lose_nothing"), ("e2e/test_kill.py", "test_two_hundred_kills_lose_nothing")),
    14: (("mail/test_server.py", "test_whatever_the_intake_raises_is_temporary_and_its_text_stays_here"), ("e2e/test_faults.py", "test_fifteen_rounds_lose_nothing"), ("gateway/road/test_post.py", "test_without_a_durable_body_there_is_no_row")),
    15: (("mail/test_relay.py", "test_each_recipient_by_itself"), ("mail/test_relay.py", "test_no_lie_makes_a_mail_delivered"), ("mail/test_relay.py", "test_hanging_and_leaving_at_any_stage_is_temporary")),
    16: (("mail/test_data.py", "test_hops_are_counted_in_the_header_only"), ("mail/test_queue.py", "test_a_null_sender_is_never_told"), ("sanitizers/formats/message/test_notice.py", "test_stations_keep_their_number")),
    17: (("mail/test_server.py", "test_a_thousand_idle_connections_do_not_keep_others_out"), ("mail/test_clients.py", "test_connections_of_one_and_of_all")),
}
