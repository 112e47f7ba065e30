//! Which C library a program of Linux needs at least.

/// The newest version of the C library whose symbols the program names, behind the `2.`.
pub fn newest(program: &[u8]) -> u32 {
    const PREFIX: &[u8] = b"GLIBC_2.";
    let starts = program.windows(PREFIX.len()).enumerate().filter(|(_, window)| *window == PREFIX);
    let minor = |start: usize| {
        let digits: Vec<u8> =
            program[start + PREFIX.len()..].iter().copied().take_while(u8::is_ascii_digit).collect();
        String::from_utf8(digits).ok()?.parse().ok()
    };
    starts.filter_map(|(start, _)| minor(start)).max().unwrap_or(17)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_counts() {
        assert_eq!(newest(b"\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.17\0"), 34);
        assert_eq!(newest(b"static"), 17);
    }
}
