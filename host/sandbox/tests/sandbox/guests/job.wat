;; The frame of the job guests: the imports of `clockbox:job`, memory, and ways to answer.
(module
  (import "clockbox:job/context@0.1.0" "job-id" (func $job_id (param i32)))
  (import "clockbox:job/context@0.1.0" "run-id" (func $run_id (param i32)))
  (import "clockbox:job/context@0.1.0" "attempt" (func $attempt (result i32)))
  (import "clockbox:job/context@0.1.0" "scheduled-at" (func $scheduled_at (param i32)))
  (import "clockbox:job/context@0.1.0" "previous-success" (func $previous_success (param i32)))
  (import "clockbox:job/context@0.1.0" "cause" (func $cause (result i32)))
  (import "clockbox:job/context@0.1.0" "idempotency-key" (func $idempotency_key (param i32)))
  (import "clockbox:job/context@0.1.0" "deadline-ms" (func $deadline_ms (result i64)))
  (import "clockbox:job/context@0.1.0" "is-cancelled" (func $is_cancelled (result i32)))
  (import "clockbox:job/context@0.1.0" "config" (func $config (param i32 i32 i32)))
  (import "clockbox:job/log@0.1.0" "write" (func $log (param i32 i32 i32 i32 i32)))
  (import "clockbox:job/progress@0.1.0" "report" (func $progress (param i64 i32 i64 i32 i32 i32)))

  ;; IMPORTS

  (memory (export "memory") 2)
  ;; 0-255 the answer, 256-511 scratch, 1024-4095 data of the guest, 8192 on: the text under construction,
  ;; 16384 on: what the host hands over
  (global $next (mut i32) (i32.const 16384))
  (global $text (mut i32) (i32.const 8192))
  (data (i32.const 512) "broken" "it went wrong")

  (func (export "cabi_realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
    (local $at i32)
    (local.set $at
      (i32.and
        (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
    (global.set $next (i32.add (local.get $at) (local.get $new)))
    (local.get $at))

  ;; ok(none)
  (func $none (result i32)
    (i32.store8 (i32.const 0) (i32.const 0))
    (i32.store8 (i32.const 8) (i32.const 0))
    (i32.const 0))

  ;; ok(some(text))
  (func $some (param $at i32) (param $len i32) (result i32)
    (i32.store8 (i32.const 0) (i32.const 0))
    (i32.store8 (i32.const 8) (i32.const 1))
    (i32.store (i32.const 12) (local.get $at))
    (i32.store (i32.const 16) (local.get $len))
    (i32.const 0))

  ;; err(case), by its number in job-error, with code "broken"
  (func $fail (param $case i32) (result i32)
    (i32.store8 (i32.const 0) (i32.const 1))
    (i32.store8 (i32.const 8) (local.get $case))
    (i32.store (i32.const 16) (i32.const 512))
    (i32.store (i32.const 20) (i32.const 6))
    (i32.store (i32.const 24) (i32.const 518))
    (i32.store (i32.const 28) (i32.const 13))
    (i64.store (i32.const 32) (i64.const 1500))
    (i32.const 0))

  ;; Adds to the text under construction.
  (func $add (param $at i32) (param $len i32)
    (memory.copy (global.get $text) (local.get $at) (local.get $len))
    (global.set $text (i32.add (global.get $text) (local.get $len))))
  (func $add_byte (param $byte i32)
    (i32.store8 (global.get $text) (local.get $byte))
    (global.set $text (i32.add (global.get $text) (i32.const 1))))
  ;; Adds the string whose address and length lie at $at, and a line end.
  (func $add_line (param $at i32)
    (call $add (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)))
    (call $add_byte (i32.const 10)))
  (func $answer_text (result i32)
    (call $some (i32.const 8192) (i32.sub (global.get $text) (i32.const 8192))))

  ;; ITEMS

  (func $run (export "clockbox:job/runner@0.1.0#run") (param $args i32) (param $len i32) (result i32)
    ;; BODY
  )
)
