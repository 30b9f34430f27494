/* The shortest command there is: a static program that ends at once. */
// SPDX-License-Identifier: Apache-2.0
int main(void)
{
	return 0;
}
