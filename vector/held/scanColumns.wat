;; Sums over columns of bytes, sixteen rows at a time.
(module
  (import "columns" "memory" (memory 0 65536 shared))

  ;; Leaves the sums of the rows of a chunk from `sums` on, i16 each: of components from `question` to `end`, each of which is followed by
  ;; its weight, i32 both, times their columns, which lie `columnBytes` apart from `columns` on. They go by four. `rows` is a multiple of 16.
  (func (export "sum")
    (param $question i32) (param $end i32) (param $columns i32) (param $columnBytes i32) (param $sums i32) (param $rows i32)
    (memory.fill (local.get $sums) (i32.const 0) (i32.shl (local.get $rows) (i32.const 1)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $question) (local.get $end)))
        (call $add
          (call $column (i32.load (local.get $question)) (local.get $columns) (local.get $columnBytes))
          (call $column (i32.load offset=8 (local.get $question)) (local.get $columns) (local.get $columnBytes))
          (call $column (i32.load offset=16 (local.get $question)) (local.get $columns) (local.get $columnBytes))
          (call $column (i32.load offset=24 (local.get $question)) (local.get $columns) (local.get $columnBytes))
          (i32.load offset=4 (local.get $question))
          (i32.load offset=12 (local.get $question))
          (i32.load offset=20 (local.get $question))
          (i32.load offset=28 (local.get $question))
          (local.get $sums)
          (local.get $rows))
        (local.set $question (i32.add (local.get $question) (i32.const 32)))
        (br $next))))

  (func $column (param $component i32) (param $columns i32) (param $columnBytes i32) (result i32)
    (i32.add (local.get $columns) (i32.mul (local.get $component) (local.get $columnBytes))))

  ;; Adds a column of each of four, times its weight, to the sums of the rows from `sum` on, i16 each. `rows` is a multiple of 16.
  (func $add
    (param $a i32) (param $b i32) (param $c i32) (param $d i32)
    (param $aWeight i32) (param $bWeight i32) (param $cWeight i32) (param $dWeight i32)
    (param $sum i32) (param $rows i32)
    (local $aWeights v128) (local $bWeights v128) (local $cWeights v128) (local $dWeights v128)
    (local $aBytes v128) (local $bBytes v128) (local $cBytes v128) (local $dBytes v128)
    (local $row i32)
    (local.set $aWeights (i8x16.splat (local.get $aWeight)))
    (local.set $bWeights (i8x16.splat (local.get $bWeight)))
    (local.set $cWeights (i8x16.splat (local.get $cWeight)))
    (local.set $dWeights (i8x16.splat (local.get $dWeight)))
    (loop $next
      (local.set $aBytes (v128.load (i32.add (local.get $a) (local.get $row))))
      (local.set $bBytes (v128.load (i32.add (local.get $b) (local.get $row))))
      (local.set $cBytes (v128.load (i32.add (local.get $c) (local.get $row))))
      (local.set $dBytes (v128.load (i32.add (local.get $d) (local.get $row))))
      (v128.store (local.get $sum)
        (i16x8.add (v128.load (local.get $sum))
          (i16x8.add
            (i16x8.add
              (i16x8.extmul_low_i8x16_s (local.get $aBytes) (local.get $aWeights))
              (i16x8.extmul_low_i8x16_s (local.get $bBytes) (local.get $bWeights)))
            (i16x8.add
              (i16x8.extmul_low_i8x16_s (local.get $cBytes) (local.get $cWeights))
              (i16x8.extmul_low_i8x16_s (local.get $dBytes) (local.get $dWeights))))))
      (v128.store offset=16 (local.get $sum)
        (i16x8.add (v128.load offset=16 (local.get $sum))
          (i16x8.add
            (i16x8.add
              (i16x8.extmul_high_i8x16_s (local.get $aBytes) (local.get $aWeights))
              (i16x8.extmul_high_i8x16_s (local.get $bBytes) (local.get $bWeights)))
            (i16x8.add
              (i16x8.extmul_high_i8x16_s (local.get $cBytes) (local.get $cWeights))
              (i16x8.extmul_high_i8x16_s (local.get $dBytes) (local.get $dWeights))))))
      (local.set $sum (i32.add (local.get $sum) (i32.const 32)))
      (br_if $next
        (i32.lt_u (local.tee $row (i32.add (local.get $row) (i32.const 16))) (local.get $rows)))))

  ;; Writes the rows whose sums times their inverses, f32 each, are above `least` from `found` on, i16 each, and tells how many there are.
  ;; None has a sum of `leastSum` or less: inverses are read where there is one of more. Nor has any a tag, a byte from `tags` on, whose byte
  ;; of the sixteen from `table` on is 0, or that is not among them; with `all` 255 tags play no part, else it is 0. `rows` is a multiple of 8.
  (func (export "above")
    (param $sums i32) (param $inverses i32) (param $rows i32) (param $leastSum i32) (param $least f32) (param $found i32)
    (param $tags i32) (param $table i32) (param $all i32)
    (result i32)
    (local $leastSums v128) (local $leasts v128) (local $eight v128)
    (local $row i32) (local $inverse i32) (local $bits i32) (local $at i32)
    (local.set $leastSums (i16x8.splat (local.get $leastSum)))
    (local.set $leasts (f32x4.splat (local.get $least)))
    (local.set $at (local.get $found))
    (loop $next
      (local.set $eight (v128.load (i32.add (local.get $sums) (i32.shl (local.get $row) (i32.const 1)))))
      (block $none
        (br_if $none (i32.eqz (v128.any_true (i16x8.gt_s (local.get $eight) (local.get $leastSums)))))
        (local.set $inverse (i32.add (local.get $inverses) (i32.shl (local.get $row) (i32.const 2))))
        (local.set $bits
          (i32.or
            (i32x4.bitmask
              (f32x4.gt
                (f32x4.mul
                  (f32x4.convert_i32x4_s (i32x4.extend_low_i16x8_s (local.get $eight)))
                  (v128.load (local.get $inverse)))
                (local.get $leasts)))
            (i32.shl
              (i32x4.bitmask
                (f32x4.gt
                  (f32x4.mul
                    (f32x4.convert_i32x4_s (i32x4.extend_high_i16x8_s (local.get $eight)))
                    (v128.load offset=16 (local.get $inverse)))
                  (local.get $leasts)))
              (i32.const 4))))
        (local.set $bits
          (i32.and
            (local.get $bits)
            (i32.or
              (local.get $all)
              (i8x16.bitmask
                (i8x16.swizzle
                  (v128.load (local.get $table))
                  (v128.load64_zero (i32.add (local.get $tags) (local.get $row))))))))
        (loop $bit
          (br_if $none (i32.eqz (local.get $bits)))
          (i32.store16 (local.get $at) (i32.add (local.get $row) (i32.ctz (local.get $bits))))
          (local.set $at (i32.add (local.get $at) (i32.const 2)))
          (local.set $bits (i32.and (local.get $bits) (i32.sub (local.get $bits) (i32.const 1))))
          (br $bit)))
      (br_if $next
        (i32.lt_u (local.tee $row (i32.add (local.get $row) (i32.const 8))) (local.get $rows))))
    (i32.shr_u (i32.sub (local.get $at) (local.get $found)) (i32.const 1))))
