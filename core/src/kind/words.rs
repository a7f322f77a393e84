//! Enumerations of a field's words, declared once for YAML, JSON, documentation and code.

/// Declares an enumeration and the word of each variant, which is its JSON too.
macro_rules! words {
    ($(#[$about:meta])* pub enum $Name:ident { $($(#[$each:meta])* $Variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $Name {
            $($(#[$each])* #[serde(rename = $word)] $Variant,)+
        }

        impl $Name {
            /// The words, in the order of the documentation.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word of this variant.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$Variant => $word,)+
                }
            }
        }
    };
}

pub(super) use words;
