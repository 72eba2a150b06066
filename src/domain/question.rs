//! 密保问题: what only the payer should know, for the day the password is forgotten.
use super::fee::coded;
use super::id_number::normalise;

coded! {
    /// The questions to choose from
    Question {
        BirthTown = "birth_town",
        PrimarySchool = "primary_school",
        FirstTeacher = "first_teacher",
        ChildhoodFriend = "childhood_friend",
        FavouriteBook = "favourite_book",
        FirstConcert = "first_concert",
        GrandmotherName = "grandmother_name",
        DreamJob = "dream_job",
    }
}

/// Shortest and longest answer, in characters
pub const ANSWER: std::ops::RangeInclusive<usize> = 2..=64;

/// An answer as it is compared: without blanks, full width as half width, without case. None when it is too short or
/// too long.
pub fn answer_key(answer: &str) -> Option<String> {
    let plain = normalise(answer);
    ANSWER.contains(&plain.chars().count()).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_known_however_it_is_typed() {
        assert_eq!(answer_key(" 兰州 "), answer_key("兰　州"));
        assert_eq!(answer_key("Ａnna Karenina"), answer_key("annaKARENINA"));
        assert_eq!(answer_key("兰"), None);
        assert_eq!(answer_key(&"长".repeat(65)), None);
    }
}
