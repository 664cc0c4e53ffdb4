"""What a faithful cloud does, item by item, and the tests that hold the simulator to it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

CHECKLIST = {
    "S1 webhooks are signed, and can be signed wrongly in every way": """
        test_a_signature_is_what_the_reference_library_computes
        test_two_signatures_during_a_rotation
        test_a_wrong_secret_does_not_verify
        test_a_delivery_can_be_stale_or_from_the_future
        test_headers_can_be_left_out
        test_a_tampered_body_does_not_verify""",
    "S2 deliveries are repeated under one id, and retried unless answered 2xx in time": """
        test_duplicates_share_the_id
        test_a_duplicate_can_come_later
        test_what_is_not_2xx_is_tried_again
        test_what_takes_too_long_is_tried_again""",
    "S3 events of other types come, and the Live API announces the same call": """
        test_any_other_event_can_be_delivered
        test_the_live_api_can_announce_the_same_call""",
    "S4 SIP headers are those of real trunks and of hostile callers": """
        test_a_caller_without_a_name_has_only_an_address
        test_names_of_headers_come_in_any_spelling
        test_headers_repeat_and_keep_their_order
        test_a_pbx_hides_headers_in_the_address_that_it_dials
        test_each_trunk_adds_its_own_headers
        test_a_hostile_caller_writes_what_nobody_should_trust
        test_the_security_of_the_media_is_told_or_not""",
    "S5 a test event names a call that does not exist": """
        test_a_test_event_names_a_call_that_does_not_exist""",
    "S6 an accept is a session at top level, and judged key by key": """
        test_accept_wants_a_type
        test_accept_refuses_a_bad_session
        test_the_message_names_the_unknown_parameter""",
    "S7 a lax cloud accepts a bad session and forgets the call": """
        test_a_lax_cloud_accepts_anything_and_forgets_the_call
        test_azure_may_not_look_at_the_session""",
    "S8 what is unknown, rejected or over is 404, and a second accept a conflict": """
        test_an_unknown_call_is_404
        test_reject_ends_the_call
        test_hangup_closes_the_sideband_and_a_second_one_is_404
        test_a_second_accept_is_a_conflict
        test_a_call_that_is_not_found_is_404_or_400""",
    "S9 success has an empty body, and perhaps no request id": """
        test_success_is_an_empty_body_of_known_length
        test_answers_can_lack_a_request_id""",
    "S10 a rejection is 603 unless said, and checked": """
        test_reject_is_603_unless_said
        test_reject_checks_its_body
        test_reject_ends_the_call""",
    "S11 a transfer works, does nothing, fails or takes its time": """
        test_a_call_goes_from_ring_to_transfer
        test_a_silent_refer_does_nothing
        test_a_failing_refer_is_plain_text_and_the_next_may_work
        test_a_slow_refer_takes_its_time
        test_azure_may_not_transfer
        test_the_close_after_a_transfer_or_a_hangup_is_unknown""",
    "S12 a hang-up closes the sideband with no further frame": """
        test_hangup_closes_the_sideband_and_a_second_one_is_404""",
    "S13 a sideband is refused for a key, for haste, for an old header, and takes time": """
        test_a_wrong_key_is_401
        test_a_door_can_stay_shut
        test_joining_can_be_too_early
        test_the_beta_header_leads_nowhere
        test_opening_a_sideband_takes_time""",
    "S14 Azure has its own key, addresses, deployments, frames and goodbye": """
        test_only_azure_reads_the_api_key_header
        test_each_cloud_has_its_own_addresses
        test_azure_knows_its_deployments
        test_a_text_answer_on_azure_is_as_recorded
        test_a_caller_who_leaves_closes_the_sideband""",
    "S15 nothing greets a sideband, and an update is echoed whole": """
        test_nothing_is_sent_before_the_client_speaks
        test_session_created_can_be_switched_on
        test_an_update_echoes_the_whole_session_and_merges""",
    "S16 an update merges, or changes nothing": """
        test_an_update_echoes_the_whole_session_and_merges
        test_another_vad_brings_its_own_defaults_and_null_switches_it_off
        test_a_bad_update_changes_nothing
        test_an_error_says_what_is_wrong
        test_the_voice_cannot_change_once_it_was_heard
        test_tracing_cannot_be_changed_once_it_is_on""",
    "S17 defaults and answers follow from the model": """
        test_voice_and_silence_are_the_models
        test_messages_of_the_second_family_have_a_phase
        test_only_who_is_told_to_reason_counts_what_it_thought
        test_the_first_family_refuses_to_be_told_to_reason
        test_a_deployment_behaves_as_the_model_behind_it""",
    "S18 the cloud answers each turn by itself, unless told not to": """
        test_a_caller_turn_is_as_recorded
        test_create_response_false_leaves_the_answer_to_the_client
        test_interrupt_response_false_keeps_speaking""",
    "S19 events come in the recorded order": """
        test_an_audio_answer_comes_in_the_recorded_order
        test_a_caller_turn_is_as_recorded
        test_a_finished_item_may_name_the_callers_item""",
    "S20 a sideband hears of the audio but not the audio": """
        test_audio_stays_off_the_sideband_unless_switched_on""",
    "S21 playback has a clock of its own and ends long after the answer was made": """
        test_playback_lasts_far_longer_than_the_making
        test_a_second_answer_waits_until_the_first_was_heard
        test_the_speed_of_the_clock_changes_nothing_else""",
    "S22 a barge-in cuts off what was not heard, in the making and in the playing": """
        test_barge_in_while_the_answer_plays
        test_barge_in_while_the_answer_is_made
        test_a_barge_in_while_the_answer_is_made_has_two_possible_orders
        test_cancel_and_clear_stop_the_bot""",
    "S23 a late cancel hits the next response": """
        test_a_late_cancel_hits_the_next_response""",
    "S24 there may be nothing to cancel": """
        test_an_error_says_what_is_wrong""",
    "S25 there is one response at a time, but for those out of band": """
        test_one_response_at_a_time_but_for_those_out_of_band
        test_an_error_about_an_early_order_may_not_say_which""",
    "S26 metadata comes back, and own instructions replace the session's": """
        test_cancel_and_clear_stop_the_bot
        test_own_instructions_and_tools_take_the_place_of_the_sessions""",
    "S27 function calls are streamed, several at once, after a preamble, broken or odd": """
        test_a_tool_round_is_as_recorded
        test_several_tools_in_one_response_and_one_answer
        test_a_barge_in_breaks_off_a_tool_call_which_is_told_as_done
        test_arguments_are_what_the_model_wrote
        test_a_done_response_can_be_told_twice
        test_a_tool_that_is_never_answered_holds_nothing_up""",
    "S28 items can be made during a response and are told after it, each id once": """
        test_an_item_made_during_a_response_is_told_after_it
        test_an_item_id_is_used_once""",
    "S29 transcripts are early, late, missing or wrong, and paid for": """
        test_streamed_transcripts_begin_before_the_turn_is_over
        test_transcripts_come_in_pieces_as_their_model_has_them
        test_a_late_transcript_comes_after_the_answer
        test_a_transcript_can_come_after_the_next_turn
        test_a_failed_transcription_is_as_recorded
        test_a_project_may_not_be_allowed_to_transcribe
        test_azure_may_lack_the_transcription_model
        test_transcription_may_work_or_not
        test_a_transcription_can_repeat_its_own_prompt
        test_transcripts_are_paid_by_time_or_by_tokens""",
    "S30 keys come at any time, in bursts, without an event id": """
        test_keys_are_no_turns_and_carry_no_event_id
        test_every_key_comes_in_a_burst_while_the_bot_speaks
        test_keys_may_be_heard_as_speech""",
    "S31 silence makes the cloud ask": """
        test_silence_makes_the_cloud_ask
        test_silence_is_answered_in_the_recorded_order""",
    "S32 speech may never stop, and a turn may have no words": """
        test_noise_on_the_line_starts_and_never_stops
        test_a_phantom_turn_has_no_words_and_is_answered""",
    "S33 a response fails, stops short or completes with nothing": """
        test_a_response_can_go_wrong
        test_a_response_can_fail_for_want_of_means
        test_a_server_error_names_the_session
        test_a_filter_can_cut_an_answer_short""",
    "S34 rate limits fall with each response": """
        test_usage_grows_with_the_conversation_and_is_cached
        test_rate_limits_come_before_or_after_the_answer""",
    "S35 callers leave at any moment, and nobody says so": """
        test_a_caller_who_leaves_closes_the_sideband
        test_a_caller_may_leave_while_the_answer_is_made
        test_a_caller_may_leave_before_anyone_attaches
        test_a_caller_may_leave_while_it_rings
        test_the_cloud_may_not_notice_that_the_caller_left_while_it_rang
        test_a_leaving_caller_may_leave_last_words""",
    "S36 a session grows too old": """
        test_a_session_expires
        test_the_end_of_a_session_may_be_announced""",
    "S37 a call outlives its sideband, and what happens in the gap is lost": """
        test_a_call_outlives_its_sideband_and_keeps_its_history
        test_a_sideband_can_be_dropped_after_so_many_events
        test_what_happens_in_a_gap_is_never_told""",
    "S38 a sideband can be silent": """
        test_a_deaf_sideband_says_nothing
        test_a_sideband_can_fall_silent""",
    "S39 there is always news that nobody knows": """
        test_novelties_are_sprinkled_in
        test_unknown_fields_are_everywhere
        test_webhooks_can_have_fields_that_nobody_knows""",
    "S40 ids have the shapes of the clouds": """
        test_ids_have_the_shapes_of_the_clouds
        test_calls_and_deliveries_have_ids_of_their_own""",
    "S41 usage follows from durations and grows with the conversation": """
        test_usage_grows_with_the_conversation_and_is_cached
        test_what_was_not_heard_is_not_read_again
        test_own_instructions_and_tools_take_the_place_of_the_sessions""",
    "S42 two sidebands see the same": """
        test_two_sidebands_see_the_same_events""",
}


@cache
def names_of_tests() -> frozenset[str]:
    """The name of every test about it."""
    files = [*(TESTS / "simulator").glob("test_*.py"), *(TESTS / "contract").glob("test_sim*.py")]
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in files)
    return frozenset(
        node.name
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_the_checklist_is_complete_and_in_order() -> None:
    assert [item.split()[0] for item in CHECKLIST] == [f"S{n}" for n in range(1, 43)]


@pytest.mark.parametrize("item", CHECKLIST)
def test_each_item_is_held_by_tests_that_exist(item: str) -> None:
    named = set(CHECKLIST[item].split())
    assert named
    assert named - names_of_tests() == set()
