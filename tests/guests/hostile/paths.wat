;; Looks for a way out of the folder that it was granted, by each of the paths below: up, from the root, through links that
;; lie there and through one that it makes itself. It prints what it gets to read, and exits with the error of the last.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink" (func $symlink (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_link"
    (func $link (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_rename" (func $rename (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  ;; Each path is 32 bytes, padded with NULs.
  (data (i32.const 1024) "../secret.txt\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00")
  (data (i32.const 1056) "a/../../secret.txt\00\00\00\00\00\00\00\00\00\00\00\00\00\00")
  (data (i32.const 1088) "/etc/passwd\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00")
  (data (i32.const 1120) "to-file\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00")
  (data (i32.const 1152) "to-folder/secret.txt\00\00\00\00\00\00\00\00\00\00\00\00")
  (data (i32.const 1184) "to-root/etc/passwd\00\00\00\00\00\00\00\00\00\00\00\00\00\00")
  (data (i32.const 1216) "own\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00")
  (data (i32.const 1248) "moved\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00")
  (data (i32.const 1280) "linked\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00")
  (global $error (mut i32) (i32.const 0))
  (func $length (param $path i32) (result i32) (local $length i32)
    (loop $more
      (if (i32.load8_u (i32.add (local.get $path) (local.get $length)))
        (then (local.set $length (i32.add (local.get $length) (i32.const 1))) (br $more))))
    (local.get $length))
  (func $try (param $path i32) (local $result i32)
    (local.set $result
      (call $open (i32.const 3) (i32.const 1) (local.get $path) (call $length (local.get $path)) (i32.const 0)
        (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
    (if (local.get $result) (then (global.set $error (local.get $result)) (return)))
    (i32.store (i32.const 0) (i32.const 4096))
    (i32.store (i32.const 4) (i32.const 4096))
    (drop (call $read (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start") (local $path i32)
    (drop (call $symlink (i32.const 1024) (i32.const 13) (i32.const 3) (i32.const 1216) (i32.const 3)))
    (drop (call $rename (i32.const 3) (i32.const 1024) (i32.const 13) (i32.const 3) (i32.const 1248) (i32.const 5)))
    (drop (call $link
      (i32.const 3) (i32.const 1) (i32.const 1120) (i32.const 7) (i32.const 3) (i32.const 1280) (i32.const 6)))
    (local.set $path (i32.const 1024))
    (loop $more
      (call $try (local.get $path))
      (local.set $path (i32.add (local.get $path) (i32.const 32)))
      (br_if $more (i32.lt_u (local.get $path) (i32.const 1312))))
    (call $exit (global.get $error))))
