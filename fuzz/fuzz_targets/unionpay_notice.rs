#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| jiaofei_fuzz::unionpay_notice(data));
